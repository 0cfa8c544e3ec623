class Solution:
    def longest_mixed(self, s: str) -> int:
        balance = best = 0
        first = {0: 0}
        for i, letter in enumerate(s, 1):
            balance += (letter == "x") - (letter == "y")
            best = max(best, i - first.setdefault(balance, i))
        return best
