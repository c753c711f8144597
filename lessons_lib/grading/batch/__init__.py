"""A class graded: hand-ins in, points and hints out, whatever the hand-ins hold.

`handins` finds learners and their notebooks; `answers` takes a question's answer out of the cells; `server` and `box`
are the untrusted side, a process a question; `lane` sends inputs there and judges what comes back; `batch` runs all
of it, and can be stopped and started again. What is made of the results lies in `grading/marks/`.
"""
