class Solution:
    def count_even_ones(self, a: int, b: int) -> list[int]:
        return [x for x in range(a, min(b, a + 2000) + 1) if bin(x).count("1") % 2 == 0]
