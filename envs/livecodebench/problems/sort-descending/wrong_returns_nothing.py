def sort_descending(nums: list[int]) -> None:
    nums.sort(reverse=True)
