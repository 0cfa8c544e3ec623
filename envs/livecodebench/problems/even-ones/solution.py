class Solution:
    def count_even_ones(self, a: int, b: int) -> int:
        def below(end: int) -> int:
            # Of 2k and 2k + 1, exactly one has an even number of ones.
            return end // 2 + (end % 2 == 1 and bin(end - 1).count("1") % 2 == 0)

        return below(b + 1) - below(a)
