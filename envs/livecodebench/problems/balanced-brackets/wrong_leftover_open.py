class Solution:
    def is_balanced(self, s: str) -> bool:
        stack = []
        for ch in s:
            if ch in "([":
                stack.append(ch)
            else:
                if not stack:
                    return False
                if stack.pop() + ch not in ("()", "[]"):
                    return False
        return True
