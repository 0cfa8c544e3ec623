class Solution:
    def second_largest(self, nums: list[int]) -> int:
        first = -1
        second = -1
        for x in nums:
            if x > first:
                second = first
                first = x
        return second
