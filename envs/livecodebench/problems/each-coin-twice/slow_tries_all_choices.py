class Solution:
    def fewest_coins(self, values: list[int], amount: int) -> int:
        def fewest(i: int, left: int) -> int:
            if left == 0:
                return 0
            if i == len(values) or left < 0:
                return 10**9
            return min(times + fewest(i + 1, left - times * values[i]) for times in range(3))

        best = fewest(0, amount)
        return best if best < 10**9 else -1
