class Solution:
    def jumps_to_hole(self, n: int, start: int, hole: int, k: int) -> int:
        return (hole - start) % n * k % n + 1
