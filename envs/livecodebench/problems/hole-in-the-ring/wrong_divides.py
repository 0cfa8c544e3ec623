class Solution:
    def jumps_to_hole(self, n: int, start: int, hole: int, k: int) -> int:
        distance = (hole - start) % n
        return distance // k if distance % k == 0 else -1
