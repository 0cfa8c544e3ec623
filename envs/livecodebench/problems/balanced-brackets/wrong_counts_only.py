class Solution:
    def is_balanced(self, s: str) -> bool:
        return s.count("(") == s.count(")") and s.count("[") == s.count("]")
