class Solution:
    def first_slot(self, close: int, bookings: list[list[int]], pause: int, length: int) -> int:
        minute = 0
        while minute + length <= close:
            if all(minute + length <= start - pause or end + pause <= minute for start, end in bookings):
                return minute
            minute += 1
        return -1
