class Solution:
    def is_balanced(self, s: str) -> bool:
        pairs = {"(": ")", "[": "]"}
        stack = []
        for ch in s:
            if ch in pairs:
                stack.append(pairs[ch])
            elif stack.pop() != ch:
                return False
        return len(stack) == 0
