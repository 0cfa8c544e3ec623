from math import gcd


class Solution:
    def jumps_to_hole(self, n: int, start: int, hole: int, k: int) -> int:
        distance = (hole - start) % n
        common = gcd(n, k)
        if distance % common:
            return -1
        ring = n // common
        return distance // common * pow(k // common, -1, ring) % ring
