"""What differs from one operating system to the next, a file for each question.

Nobody else asks which system this is, nor whether it has a function: what is asked here has an
answer on each of them.
"""
