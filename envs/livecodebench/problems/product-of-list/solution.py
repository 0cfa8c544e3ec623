def product_of_list(nums: list[int]) -> int:
    product = 1
    for x in nums:
        product *= x
    return product
