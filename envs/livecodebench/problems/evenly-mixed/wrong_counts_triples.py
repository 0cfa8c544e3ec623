class Solution:
    def longest_mixed(self, s: str) -> int:
        x = y = z = 0
        best = -1
        first = {(0, 0): 0}
        for i, letter in enumerate(s, 1):
            x += letter == "x"
            y += letter == "y"
            z += letter == "z"
            best = max(best, (i - first.setdefault((x - y, y - z), i)) // 3)
        return best
