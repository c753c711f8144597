"""`lessons handout`: the course as an instructor hands it out.

`texts` cuts one text: solutions, questions, links, points. `students` makes the copy of the course for a class,
`autograders` what a grading host runs; the files that go out as they are lie in `files/`.
"""
