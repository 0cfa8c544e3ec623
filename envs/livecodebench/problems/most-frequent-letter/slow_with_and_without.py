def most_frequent_letter(s: str) -> str:
    def count(text: str, letter: str) -> int:
        if text == "":
            return 0
        return max(count(text[1:], letter), (text[0] == letter) + count(text[1:], letter))

    return max(sorted(set(s) - {" "}), key=lambda letter: count(s, letter), default="")
