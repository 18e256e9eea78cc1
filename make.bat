@echo off
rem The same commands on Windows: .\make book and .\make test.
python "%~dp0tools\tasks.py" %*
