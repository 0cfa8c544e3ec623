class Solution:
    def is_balanced(self, s: str) -> bool:
        closes = {")": "(", "]": "["}
        stack = []
        for ch in s:
            if ch not in closes:
                stack.append(ch)
            elif not stack or stack.pop() != closes[ch]:
                return False
        return not stack
