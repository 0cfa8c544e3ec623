class Solution:
    def longest_mixed(self, s: str) -> int:
        if s.count("x") == s.count("y") == s.count("z"):
            return len(s)
        return max(self.longest_mixed(s[1:]), self.longest_mixed(s[:-1]))
