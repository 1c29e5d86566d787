"""Hard negative mining for detectors: a HOG + linear SVM window scanned over whole images, and what it takes for an
object.
"""
