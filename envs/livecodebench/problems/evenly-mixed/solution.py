class Solution:
    def longest_mixed(self, s: str) -> int:
        x = y = z = best = 0
        first = {(0, 0): 0}
        for i, letter in enumerate(s, 1):
            x += letter == "x"
            y += letter == "y"
            z += letter == "z"
            best = max(best, i - first.setdefault((x - y, y - z), i))
        return best
