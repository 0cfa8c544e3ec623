class Solution:
    def jumps_to_hole(self, n: int, start: int, hole: int, k: int) -> int:
        place = 0
        for jumps in range(1, min(n, 2000) + 1):
            place = (place + k) % n
            if place == hole:
                return jumps
        return -1
