class Solution:
    def is_balanced(self, s: str) -> str:
        while "()" in s or "[]" in s:
            s = s.replace("()", "").replace("[]", "")
        return "True" if s == "" else "False"
