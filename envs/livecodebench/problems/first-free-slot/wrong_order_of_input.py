class Solution:
    def first_slot(self, close: int, bookings: list[list[int]], pause: int, length: int) -> int:
        free = 0
        for start, end in bookings:
            if start - pause - free >= length:
                break
            free = max(free, end + pause)
        return free if free + length <= close else -1
