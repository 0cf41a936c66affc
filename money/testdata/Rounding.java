// Writes rounding.json: random decimals rounded by java.math.BigDecimal in the seven modes. Run: java Rounding.java > rounding.json

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Random;

class Rounding {
    static final String[] MODES = {"HALF_EVEN", "HALF_UP", "HALF_DOWN", "UP", "DOWN", "CEILING", "FLOOR"};

    public static void main(String[] args) {
        Random random = new Random(7);
        System.out.println("{\"source\": \"java.math.BigDecimal.setScale and divide, OpenJDK 17\", \"generator\": \"testdata/Rounding.java\", \"rows\": [");
        final int rows = 300;
        for (int i = 0; i < rows; i++) {
            StringBuilder digits = new StringBuilder();
            int length = 1 + random.nextInt(34);
            for (int k = 0; k < length; k++) {
                digits.append((char) ('0' + (random.nextInt(3) == 0 ? 5 : random.nextInt(10)))); // many ties
            }
            int scale = random.nextInt(Math.min(length, 20) + 1);
            BigDecimal value = new BigDecimal(new BigInteger(digits.toString()), scale);
            if (random.nextBoolean()) {
                value = value.negate();
            }
            int to = random.nextInt(Math.max(1, scale + 1));
            BigDecimal divisor = new BigDecimal(BigInteger.valueOf(1 + random.nextInt(i % 2 == 0 ? 16 : 1 << 30)), random.nextInt(4));
            if (random.nextInt(4) == 0) {
                divisor = divisor.negate();
            }
            StringBuilder round = new StringBuilder(), divide = new StringBuilder();
            for (String mode : MODES) {
                String comma = round.length() > 0 ? "," : "";
                round.append(comma).append('"').append(value.setScale(to, RoundingMode.valueOf(mode)).toPlainString()).append('"');
                divide.append(comma).append('"').append(value.divide(divisor, 2, RoundingMode.valueOf(mode)).toPlainString()).append('"');
            }
            System.out.printf("{\"value\":\"%s\",\"to\":%d,\"round\":[%s],\"divisor\":\"%s\",\"divide\":[%s]}%s%n",
                value.toPlainString(), to, round, divisor.toPlainString(), divide, i < rows - 1 ? "," : "");
        }
        System.out.println("]}");
    }
}
