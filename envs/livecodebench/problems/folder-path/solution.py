class Solution:
    def current_folder(self, commands: list[str]) -> str:
        folders = [[]]
        for command in commands:
            here = folders[-1]
            if command == "back":
                folders = folders[:-1] or folders
            elif command == "up":
                folders.append(here[:-1])
            elif command == "top":
                folders.append([])
            else:
                folders.append([*here, command])
        return "/" + "/".join(folders[-1])
