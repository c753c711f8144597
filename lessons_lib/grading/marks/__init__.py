def write_reports(learners, out, title):
    pass
