def count_positive(nums: list[int]) -> int:
    def largest(i: int, size: int) -> int:
        if i == len(nums):
            return size
        with_it = largest(i + 1, size + 1 if nums[i] > 0 else 0)
        return max(with_it, largest(i + 1, size))

    return largest(0, 0)
