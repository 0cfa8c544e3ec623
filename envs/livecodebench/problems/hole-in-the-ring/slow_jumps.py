class Solution:
    def jumps_to_hole(self, n: int, start: int, hole: int, k: int) -> int:
        place = start
        for jumps in range(n):
            if place == hole:
                return jumps
            place = (place + k) % n
        return -1
