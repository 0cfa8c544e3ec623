class Solution:
    def is_balanced(self, s: str) -> bool:
        if s == "":
            return True
        for k in range(1, len(s)):
            pair = s[0] + s[k]
            if pair in ("()", "[]") and self.is_balanced(s[1:k]) and self.is_balanced(s[k + 1 :]):
                return True
        return False
