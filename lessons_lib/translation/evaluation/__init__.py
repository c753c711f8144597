"""How good translations are: scores, alignments, diagnoses, and where the time goes."""
