def product_of_list(nums: list[int]) -> int:
    product = 0
    for x in nums:
        product *= x
    return product
