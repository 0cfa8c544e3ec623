class Solution:
    def merge_bookings(self, bookings: list[list[int]]) -> list[list[int]]:
        def touching(i: int, j: int) -> bool:
            return bookings[i][0] <= bookings[j][1] and bookings[j][0] <= bookings[i][1]

        def reach(chain: list[int]) -> set[int]:
            found = set(chain)
            for i in range(len(bookings)):
                if i not in chain and touching(i, chain[-1]):
                    found |= reach([*chain, i])
            return found

        spans = set()
        for i in range(len(bookings)):
            group = [bookings[j] for j in reach([i])]
            spans.add((min(start for start, _ in group), max(end for _, end in group)))
        return [list(span) for span in sorted(spans)]
