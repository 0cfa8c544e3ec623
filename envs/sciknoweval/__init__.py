"""SciKnowEval's multiple-choice questions on chemistry, physics, biology and materials."""
