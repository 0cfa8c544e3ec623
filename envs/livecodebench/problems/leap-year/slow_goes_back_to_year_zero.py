def is_leap_year(year: int) -> bool:
    while year > 400:
        year -= 400
    return year in (4, 8) or (year % 4 == 0 and year % 100 != 0) or year == 400
