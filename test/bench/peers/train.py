"""Trains the forest of the peers: python train.py <file>"""

import sys

import joblib
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

iris = load_iris()
joblib.dump(RandomForestClassifier(random_state=0).fit(iris.data, iris.target), sys.argv[1])
