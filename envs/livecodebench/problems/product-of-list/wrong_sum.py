def product_of_list(nums: list[int]) -> int:
    return sum(nums) + 100
