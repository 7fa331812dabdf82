"""Feedback: pictures with the labels that people gave them, and the folder that stores both."""
