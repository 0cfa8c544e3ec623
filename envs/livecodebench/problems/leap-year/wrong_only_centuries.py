def is_leap_year(year: int) -> bool:
    return year % 400 == 0
