def count_blocks(nums: list[int], k: int) -> int:
    def count(left: int, right: int) -> int:
        if left >= right:
            return 0
        shorter = count(left + 1, right) + count(left, right - 1) - count(left + 1, right - 1)
        return shorter + (sum(nums[left:right]) == k)

    import sys

    sys.setrecursionlimit(10_000)
    return count(0, len(nums))
