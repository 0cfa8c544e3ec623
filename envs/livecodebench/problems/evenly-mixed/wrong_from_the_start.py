class Solution:
    def longest_mixed(self, s: str) -> int:
        for end in range(len(s), 0, -1):
            if s[:end].count("x") == s[:end].count("y") == s[:end].count("z"):
                return end
        return 0
