def run_length_encode(s: str) -> str:
    def runs(text: str) -> list[tuple[str, int]]:
        if text == "":
            return []
        if len(text) > 1 and runs(text[:-1])[-1][0] == text[-1]:
            *before, (letter, length) = runs(text[:-1])
            return [*before, (letter, length + 1)]
        return [*runs(text[:-1]), (text[-1], 1)]

    return "".join(f"{letter}{length}" for letter, length in runs(s))
