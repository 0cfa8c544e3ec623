class Solution:
    def count_even_ones(self, a: int, b: int) -> int:
        count = 0
        while a <= b:
            if bin(a).count("1") % 2 == 0:
                count += 1
            a += 1
        return count
