class Solution:
    def fewest_coins(self, values: list[int], amount: int) -> int:
        count = 0
        for value in sorted(values * 2, reverse=True):
            if value <= amount:
                amount -= value
                count += 1
        return count if amount == 0 else -1
