class Solution:
    def first_slot(self, close: int, bookings: list[list[int]], pause: int, length: int) -> int:
        return max((end for _, end in bookings), default=1) + pause
