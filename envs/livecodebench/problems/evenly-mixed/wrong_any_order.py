class Solution:
    def longest_mixed(self, s: str) -> int:
        return 3 * min(s.count("x"), s.count("y"), s.count("z"))
