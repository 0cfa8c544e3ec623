class Solution:
    def count_even_ones(self, a: int, b: int) -> int:
        return b // 2 - (a + 1) // 2 + 1
