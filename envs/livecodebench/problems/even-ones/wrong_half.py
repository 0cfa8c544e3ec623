class Solution:
    def count_even_ones(self, a: int, b: int) -> int:
        return (b - a + 1) // 2
