"""Learners: features of images, and honest out-of-fold class probabilities for every item. Pure: no
Django.
"""
