from collections import Counter


class Solution:
    def edit_steps(self, a: str, b: str) -> int:
        left, right = Counter(a), Counter(b)
        return sum(((left - right) + (right - left)).values())
