System.Console.WriteLine("i2m");
